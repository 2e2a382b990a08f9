"""Process classes, alone: compiling a process, Lava executes every file in its folder."""
