export const row = (name: string, text: string) => `  ${name.padEnd(11)} ${text}`;
