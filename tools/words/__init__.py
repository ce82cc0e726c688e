"""What the reference says of the kinds of check, room by room."""
