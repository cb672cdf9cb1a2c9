// Loaded into every process of the functions. When the host is gone, however it ended, its end of the pipe closes.
process.stdin.on('end', () => process.exit()).resume();
