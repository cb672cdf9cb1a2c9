/** A number of bytes for a person: `12.3 MB`. */
export function sizeOf(bytes: number): string {
  if (!(bytes >= 1000)) return `${bytes} B`;
  const power = Math.min(Math.floor(Math.log10(bytes) / 3), 4);
  return `${(bytes / 1000 ** power).toPrecision(3)} ${['B', 'kB', 'MB', 'GB', 'TB'][power]}`;
}
