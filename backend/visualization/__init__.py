"""What a direction of activation space looks like."""
