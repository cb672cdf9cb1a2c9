/* The package's own types bring those of a browser with them, which are not Node's; tsconfig.json names these instead. */

/** The blocks of a file by their type and labels. @throws with the place that is no HCL */
export function parse(
  name: string,
  text: string,
): Promise<Record<'provider' | 'resource' | 'data', Record<string, unknown> | undefined>>;
