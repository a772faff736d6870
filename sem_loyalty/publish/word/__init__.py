"""Word: a manuscript as .docx, and the values and tables of a .docx read back."""
