/** `ada@uni.example, group:lab@uni.example` as the variable `people`: a short name for each, which accounts are named after. */
export function peopleOf(text: string): Record<string, string> {
  const people: Record<string, string> = {};
  for (const word of text.split(/[\s,;]+/).filter(Boolean)) {
    const member = /^(user|group):/.test(word) ? word : `user:${word}`;
    if (!/^(user|group):[^@\s]+@[^@\s]+\.[^@\s]+$/.test(member)) throw new Error(`${word} is not an address`);
    const name = nameOf(member.slice(member.indexOf(':') + 1));
    let unique = name;
    for (let count = 2; unique in people; count++) unique = `${name.slice(0, 14)}${count}`;
    people[unique] = member;
  }
  return people;
}

/** 2 to 16 lower-case letters, digits and -, beginning with a letter. */
function nameOf(address: string): string {
  const local = (address.split('@')[0] ?? '').normalize('NFKD').toLowerCase();
  const name = local
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^[^a-z]+/, '')
    .slice(0, 16)
    .replace(/-+$/, '');
  return name.length >= 2 ? name : `person${name ? `-${name}` : ''}`;
}
