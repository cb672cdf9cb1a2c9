const content = 200;
const list = 100;
const read = 5;
const edit = 50;

/** The most that one request costs. */
export const mostUnits = content;

const lists = /\/(files|changes|drives|permissions|revisions|comments|replies|approvals|accessproposals)$/;

/**
 * What a request costs of Drive's quota: https://developers.google.com/workspace/drive/api/guides/limits. A range of a
 * file is not mentioned there, and is taken for a whole download; so is what is not the API itself, like the links
 * under `exportLinks`.
 */
export function unitsOf(method: string, { pathname, searchParams }: URL): number {
  if (!/^\/(upload\/)?drive\/v3\//.test(pathname)) return content;
  if (searchParams.get('alt') === 'media' || /\/(export|download)$/.test(pathname)) return content;
  if (method.toUpperCase() !== 'GET') return edit;
  return lists.test(pathname) ? list : read;
}
