/** The HTTP status of a Cloud Storage error: it sits in `code`, and for resumable uploads sometimes in `status`. */
export function codeOf(error: unknown): number | undefined {
  const { code, status } = (error ?? {}) as { code?: unknown; status?: unknown };
  if (typeof code === 'number') return code;
  return typeof status === 'number' ? status : undefined;
}
