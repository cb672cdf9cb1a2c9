/**
 * Writes a small text into the study folder, in the name that the folder is shared with.
 * @returns its name; undefined where that account may not write: it has no room in somebody's My Drive, and may have been
 *   given the right to read alone
 */
export async function writeTestFile(
  folder: string,
  token: string,
  { drive = 'https://www.googleapis.com', now = new Date() } = {},
): Promise<string | undefined> {
  const name = `gazeline-self-test-${now.toISOString().slice(0, 16).replace(':', '-')}.txt`;
  const boundary = 'gazeline';
  const response = await fetch(
    `${drive}/upload/drive/v3/files?uploadType=multipart&supportsAllDrives=true&fields=id`,
    {
      method: 'POST',
      headers: {
        authorization: `Bearer ${token}`,
        'content-type': `multipart/related; boundary=${boundary}`,
      },
      body: [
        `--${boundary}\r\ncontent-type: application/json\r\n\r\n${JSON.stringify({ name, parents: [folder] })}`,
        `--${boundary}\r\ncontent-type: text/plain\r\n\r\nThe lab works. This file may be deleted.`,
        `--${boundary}--`,
      ].join('\r\n'),
    },
  );
  return response.ok ? name : undefined;
}
