"""Bulk refunds: one CSV file, judged row by row before any money moves, then sent row by row by the workers."""
