import { Refused } from './refused.ts';
import type { Method, Route } from './route.ts';

type Match = { route: Route; written: Record<string, string> };
export type MatchRoute = (method: string, path: string) => Match;

/**
 * Finds the route of a request, with what stands in the place of its `{names}`, decoded.
 * @throws Refused 404, 405, or 400 for a path that is no path
 */
export function matcherOf(routes: Route[]): MatchRoute {
  const patterns = routes.map((route) => ({ route, pattern: patternOf(route.path) }));
  return (method, path) => {
    const there = patterns.flatMap(({ route, pattern }) => {
      const match = pattern.exec(path);
      return match ? [{ route, groups: match.groups ?? {} }] : [];
    });
    if (there.length === 0) throw new Refused(404, 'There is nothing at this path.');
    // https://www.rfc-editor.org/rfc/rfc9110#name-head
    const wanted = method === 'HEAD' ? 'GET' : (method as Method);
    const found = there.find(({ route }) => route.method === wanted);
    if (!found) {
      const allow = there.map(({ route }) => route.method).join(', ');
      throw new Refused(405, `This path takes ${allow}.`, { headers: { allow } });
    }
    return { route: found.route, written: decoded(found.groups) };
  };
}

const patternOf = (path: string) =>
  new RegExp(`^${path.replaceAll('.', '\\.').replace(/\{(\w+)\}/g, '(?<$1>[^/]+)')}$`);

function decoded(groups: Record<string, string>): Record<string, string> {
  try {
    return Object.fromEntries(Object.entries(groups).map(([name, text]) => [name, decodeURIComponent(text)]));
  } catch {
    throw new Refused(400, 'The path is not well-formed.');
  }
}
