/** One thing that a service said went wrong, wherever in its answer it was. */
export type Sign = {
  /** `ZONE_RESOURCE_POOL_EXHAUSTED`, `quotaExceeded`; a TPU's operations have numbers. */
  codes: string[];
  /** HTTP, if there was an answer. */
  http?: number;
  /** Of gRPC: https://grpc.io/docs/guides/status-codes */
  grpc?: number;
  message: string;
  /** `ErrorInfo.metadatas` and `quotaInfo`, whatever was there. */
  details: { [key: string]: string };
  /** It was in an operation: the request had been accepted before. */
  inOperation: boolean;
};

type Any = { [key: string]: unknown };
const object = (value: unknown): Any => (typeof value === 'object' && value !== null ? (value as Any) : {});
const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);
const text = (value: unknown): string => (typeof value === 'string' ? value : '');

/**
 * What is wrong, of an error that was thrown or an operation that ended: `[]` for an operation without an error. They
 * have many forms: of `@google-cloud/compute` (gRPC's numbers in `code`, HTTP's in `httpStatusCode`, nothing of the old
 * `errors[].reason`), of `googleapis` (HTTP's number, `errors[].reason`), and bodies with nothing but a message.
 */
export function signsOf(of: unknown): Sign[] {
  const value = object(of);
  if (of instanceof Error) return [signOfError(value)];
  // Compute: { status, error: { errors: […] } }; TPU: { done, error: { code, message } }; a queued resource that failed.
  const error = object(value.error ?? object(object(value.state).failedData).error);
  const errors = list(error.errors);
  const http = Number(value.httpErrorStatusCode) || undefined;
  if (errors.length > 0) return errors.map((one) => signOf(object(one), http, true));
  if (error.code || error.message) return [signOf(error, http, true)];
  if (value.httpErrorStatusCode || value.httpErrorMessage)
    return [signOf({ message: value.httpErrorMessage }, http, true)];
  return [];
}

function signOfError(error: Any): Sign {
  const body = object(object(object(error.response).data).error);
  const own = signOf(error, Number(error.httpStatusCode ?? error.status) || undefined, false);
  const inner = signOf(body, Number(body.code) || undefined, false);
  const http = own.http ?? inner.http;
  return {
    codes: [...own.codes, ...inner.codes],
    ...(http ? { http } : {}),
    ...(own.grpc === undefined ? {} : { grpc: own.grpc }),
    message: [inner.message, own.message].find((one) => one !== '') ?? '',
    details: { ...inner.details, ...own.details },
    inOperation: false,
  };
}

function signOf(error: Any, status: number | undefined, inOperation: boolean): Sign {
  const code = typeof error.code === 'number' ? error.code : Number(text(error.code)) || undefined;
  const reasons = list(error.errors).map((one) => text(object(one).reason));
  const details: Sign['details'] = {};
  const codes = [text(error.code), text(error.reason), text(error.status), ...reasons];
  for (const one of [
    ...list(error.details),
    ...list(error.errorDetails),
    ...list(error.statusDetails),
    error,
  ]) {
    const detail = object(one);
    const info = object(detail.errorInfo);
    codes.push(text(detail['@type']), text(detail.reason), text(info.reason));
    const said = [detail.metadata, detail.metadatas, info.metadatas, info.metadata, detail.errorInfoMetadata];
    for (const more of [...said, detail.quotaInfo])
      for (const [key, inner] of Object.entries(object(more)))
        if (typeof inner === 'string' || typeof inner === 'number') details[key] = String(inner);
  }
  // Up to 16 it is a number of gRPC; those of HTTP begin at 100.
  const http = status ?? (code && code >= 100 ? code : undefined);
  return {
    codes: [...new Set(codes.filter((one) => one !== ''))],
    ...(http ? { http } : {}),
    ...(code !== undefined && code < 100 ? { grpc: code } : {}),
    message: text(error.message),
    details,
    inOperation,
  };
}
