"""The concept world: drawn pictures and a small network whose polysemantic neurons were planted."""
