"""Path diagrams: layout, scene, drawing."""
