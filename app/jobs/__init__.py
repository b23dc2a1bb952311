"""Jobs, the threads that run them, and what each job does."""
