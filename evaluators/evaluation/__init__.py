"""What an evaluation may spend, and the record that it yields."""
