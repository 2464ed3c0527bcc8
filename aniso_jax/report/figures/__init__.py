"""Drawings that explain regions: data and an optional axes in, the axes out."""
