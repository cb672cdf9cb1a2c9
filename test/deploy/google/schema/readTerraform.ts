/** A block as it stands in a file; of its arguments, the names. */
export type Read = { type: string; labels: string[]; arguments: string[]; blocks: Read[] };

/**
 * Reads a file that is written as `terraform fmt` writes it, so that names can be checked where there is no Terraform. What
 * values are is Terraform's business.
 * @throws Error with the line that is not written so
 */
export function readTerraform(text: string): Read[] {
  const root: Read = { type: '', labels: [], arguments: [], blocks: [] };
  const open = [root];
  // Of brackets, inside of a value.
  let depth = 0;
  for (const [index, line] of withoutStrings(text).split('\n').entries()) {
    const code = line.trimEnd();
    if (depth > 0) depth += balanceOf(code);
    else if (code !== '') {
      const found = /^( *)(?:(\w+) += .*|(\w+)((?: "[\w-]*")*) \{(\})?|\})$/.exec(code);
      const [, indent = '', argument, type, labels = '', end] = found ?? [];
      if (found && !argument && !type) open.pop();
      const parent = open.at(-1);
      if (!found || !parent || indent.length !== 2 * (open.length - 1))
        throw new Error(`Line ${index + 1} is not as terraform fmt writes it: ${code}`);
      if (argument) {
        parent.arguments.push(argument);
        depth = balanceOf(code);
      } else if (type) {
        const names = [...labels.matchAll(/"([^"]*)"/g)].map(([, label = '']) => label);
        const block: Read = { type, labels: names, arguments: [], blocks: [] };
        parent.blocks.push(block);
        if (!end) open.push(block);
      }
    }
  }
  if (open.length !== 1 || depth !== 0) throw new Error('Something is not closed');
  return root.blocks;
}

const balanceOf = (code: string) =>
  [...code].reduce((sum, one) => sum + ('([{'.includes(one) ? 1 : ')]}'.includes(one) ? -1 : 0), 0);

/** Comments go, and of strings all but plain words: `"${join(", ", names)}"` becomes `""`. */
function withoutStrings(text: string): string {
  let kept = '';
  for (let at = 0; at < text.length; at++) {
    if (text[at] === '#') at = text.indexOf('\n', at);
    if (text[at] === '"') {
      const end = endOfString(text, at + 1);
      const string = text.slice(at + 1, end);
      kept += /^[\w-]*$/.test(string) ? `"${string}"` : `""${string.replace(/[^\n]/g, '')}`;
      at = end;
    } else kept += text[at];
  }
  return kept;
}

/** @param from behind the quotation mark that opens it @returns where the one is that closes it */
function endOfString(text: string, from: number): number {
  let inside = 0;
  for (let at = from; at < text.length; at++) {
    const one = text[at];
    if (one === '"') {
      if (inside === 0) return at;
      at = endOfString(text, at + 1);
    } else if (inside === 0 && one === '\\') at++;
    else if (inside === 0 && text.startsWith('${', at)) {
      inside++;
      at++;
    } else if (inside > 0 && one === '{') inside++;
    else if (inside > 0 && one === '}') inside--;
  }
  throw new Error('A string is not closed');
}
