import { GoogleError } from '../googleError.ts';

/** As in an operation or a queued resource that has failed. https://cloud.google.com/apis/design/errors#error_model */
export type Status = { code: number; message: string; details?: object[] };

/** A refusal as Google's newer APIs word it: by the names of gRPC, with details instead of the old `errors`. */
export class TpuError extends GoogleError {
  readonly details: object[];

  constructor(code: number, status: string, message: string, details: object[] = []) {
    super(code, status, message);
    this.details = details;
  }

  override toJSON(): object {
    const { code, message, reason, details } = this;
    return { error: { code, message, status: reason, ...(details.length > 0 ? { details } : {}) } };
  }
}

export const invalid = (why: string) => new TpuError(400, 'INVALID_ARGUMENT', why);

/** What is met in the zone of another kind of TPU, in Google's own words. */
export const badRequest = (why: string) => invalid(`Cloud TPU received a bad request. ${why}`);

export const notFound = (name: string) =>
  new TpuError(404, 'NOT_FOUND', `Resource '${name}' was not found`, [
    { '@type': 'type.googleapis.com/google.rpc.ResourceInfo', resourceName: name },
  ]);

export const alreadyExists = (name: string) =>
  new TpuError(409, 'ALREADY_EXISTS', `Resource '${name}' already exists`, [
    { '@type': 'type.googleapis.com/google.rpc.ResourceInfo', resourceName: name },
  ]);

export const failedPrecondition = (why: string) => new TpuError(400, 'FAILED_PRECONDITION', why);
