import { parse } from '@babel/parser';

type Property = { name: string; start: number; end: number };

/** The source of a module whose object `variable` has only the property `name` left. */
export function keepOnly(source: string, variable: string, name: string): string {
  const { properties } = propertiesOf(source, variable);
  const kept = properties.find((property) => property.name === name);
  if (!kept) throw new Error(`${variable} has no ${name}`);
  const first = properties[0]?.start ?? kept.start;
  const last = properties.at(-1)?.end ?? kept.end;
  return source.slice(0, first) + source.slice(kept.start, kept.end) + source.slice(last);
}

/** The source of a module that exports each property of its object `variable` by itself, and the object no more. */
export function exportEach(source: string, variable: string): string {
  const { start, end, properties } = propertiesOf(source, variable);
  const each = properties.map(({ name, ...place }) => {
    const text = source.slice(place.start, place.end);
    const asMethod = text.match(/^(async )?(\w+)\(/);
    if (asMethod) return `export ${asMethod[1] ?? ''}function ${text.slice((asMethod[1] ?? '').length)}`;
    return `export const ${name} = ${text.slice(text.indexOf(':') + 1).trim()};`;
  });
  return source.slice(0, start) + each.join('\n') + source.slice(end);
}

/** Where in its module `export const variable = { … };` is, and each of its properties. */
function propertiesOf(
  source: string,
  variable: string,
): { start: number; end: number; properties: Property[] } {
  const { program } = parse(source, { sourceType: 'module', plugins: ['typescript'] });
  for (const statement of program.body) {
    if (statement.type !== 'ExportNamedDeclaration') continue;
    const { declaration } = statement;
    if (declaration?.type !== 'VariableDeclaration') continue;
    const [declared] = declaration.declarations;
    if (declared?.id.type !== 'Identifier' || declared.id.name !== variable) continue;
    if (declared.init?.type !== 'ObjectExpression') continue;
    const properties = declared.init.properties.map((property) => {
      if (property.type === 'SpreadElement') throw new Error(`${variable} has a property that is spread`);
      const { key } = property;
      const name =
        key.type === 'Identifier' ? key.name : key.type === 'StringLiteral' ? key.value : undefined;
      if (name === undefined) throw new Error(`${variable} has a property whose name is computed`);
      return { name, start: property.start ?? 0, end: property.end ?? 0 };
    });
    return { start: statement.start ?? 0, end: statement.end ?? 0, properties };
  }
  throw new Error(`there is no "export const ${variable} = { … }"`);
}
