"""What shims program, one folder a backend; none knows another."""
