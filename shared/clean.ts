/**
 * File names are anybody's: no escape sequence of theirs reaches the terminal, and none that turns the reading direction
 * round, by which `gnp.exe` can be made to look like `exe.png`.
 */
export const clean = (text: string) =>
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  text.toWellFormed().replace(/[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g, '�');
