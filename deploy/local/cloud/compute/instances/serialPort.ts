/**
 * What a machine has printed: the last megabyte.
 * https://cloud.google.com/compute/docs/troubleshooting/viewing-serial-port-output
 */
export type SerialPort = {
  write(line: string): void;
  /** From this byte on; if that is overwritten, from the first that is left. A negative one counts from the end. */
  read(start: number): { contents: string; start: number; next: number };
};

const size = 1024 * 1024;

export function createSerialPort(): SerialPort {
  let lines: Buffer[] = [];
  let held = 0;
  let total = 0;
  const trim = () => {
    const all = Buffer.concat(lines).subarray(-size);
    lines = [all];
    held = all.length;
    return all;
  };
  return {
    write(line) {
      const data = Buffer.from(`${line}\r\n`);
      lines.push(data);
      total += data.length;
      held += data.length;
      // Not at each line: that would copy a megabyte for every one.
      if (held > 2 * size) trim();
    },
    read(asked) {
      const kept = trim();
      const first = total - kept.length;
      const start = Math.min(Math.max(asked < 0 ? total + asked : asked, first), total);
      return { contents: kept.subarray(start - first).toString(), start, next: total };
    },
  };
}
