"""What JavaScript and TypeScript import, and whether it is there."""
