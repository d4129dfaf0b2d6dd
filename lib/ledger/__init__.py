"""The record: facts as they arrived, the state they fold to, and what is read from it."""
