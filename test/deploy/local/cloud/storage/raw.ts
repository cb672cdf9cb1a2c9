/** Calls of the JSON API as no client library would make them: the protocol itself, and what is wrong with it. */
export type Answer = {
  status: number;
  headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: the shape is what the test looks at
  body: any;
};

export async function call(
  method: string,
  url: string,
  init: RequestInit & { json?: unknown } = {},
): Promise<Answer> {
  const { json, headers, ...rest } = init;
  const response = await fetch(url, {
    method,
    ...rest,
    headers: { ...(json === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
    ...(json === undefined ? {} : { body: JSON.stringify(json) }),
    redirect: 'manual',
  });
  const text = await response.text();
  let body: unknown = text;
  try {
    body = JSON.parse(text);
  } catch {
    // Not everything is JSON.
  }
  return { status: response.status, headers: response.headers, body };
}

/** The same bytes for the same seed. */
export function bytes(size: number, seed = 1): Buffer {
  const made = Buffer.alloc(size);
  let state = seed;
  for (let i = 0; i < size; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    made[i] = state >>> 24;
  }
  return made;
}
