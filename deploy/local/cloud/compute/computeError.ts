import { GoogleError } from '../googleError.ts';

/**
 * A refusal as Compute Engine words it. It says no `status`, so that Google's Node client makes an `ABORTED` of a 409.
 * https://cloud.google.com/compute/docs/troubleshooting/troubleshooting-vm-creation
 */
export class ComputeError extends GoogleError {
  override toJSON(): object {
    const { code, message, reason } = this;
    const domain = ['quotaExceeded', 'rateLimitExceeded'].includes(reason) ? 'usageLimits' : 'global';
    return { error: { code, message, errors: [{ message, domain, reason }] } };
  }
}

export const notFound = (path: string) =>
  new ComputeError(404, 'notFound', `The resource '${path}' was not found`);

export const alreadyExists = (path: string) =>
  new ComputeError(409, 'alreadyExists', `The resource '${path}' already exists`);

export const notReady = (path: string) =>
  new ComputeError(400, 'resourceNotReady', `The resource '${path}' is not ready`);

export const invalidField = (field: string, value: unknown, why: string) => {
  const shown = value === undefined ? '' : typeof value === 'string' ? value : JSON.stringify(value);
  return new ComputeError(400, 'invalid', `Invalid value for field '${field}': '${shown}'. ${why}`);
};

export const missingField = (field: string) =>
  new ComputeError(400, 'required', `Required field '${field}' not specified`);
