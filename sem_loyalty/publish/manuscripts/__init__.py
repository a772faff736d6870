"""Writers of a manuscript: Typst, LaTeX and Markdown."""
