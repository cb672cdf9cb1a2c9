/** One line of JSON per entry, as Cloud Logging reads it from standard output. */
export type Log = {
  info(message: string, fields?: Fields): void;
  warning(message: string, fields?: Fields): void;
  /** With the error, its stack goes into the entry, where Error Reporting finds it. It never goes into an answer. */
  error(message: string, fields?: Fields & { error?: unknown }): void;
};
export type Fields = Record<string, unknown>;

export type LogContext = {
  function: string;
  /** The id of the event, in every line that is written on its behalf. */
  event: string;
  /** The header `traceparent` or `x-cloud-trace-context`. */
  trace?: string | undefined;
  project?: string | undefined;
};

/** @param write replaced by tests */
export function logFor(
  { function: name, event, trace, project }: LogContext,
  write: (line: string) => void = (line) => process.stdout.write(`${line}\n`),
): Log {
  const common = { function: name, event, ...(project ? traceFields(trace, project) : {}) };
  const entry = (severity: string, message: string, fields: Fields) =>
    write(JSON.stringify({ ...fields, severity, message, ...common }));
  return {
    info: (message, fields = {}) => entry('INFO', message, fields),
    warning: (message, fields = {}) => entry('WARNING', message, fields),
    error: (message, { error, ...fields } = {}) =>
      entry('ERROR', message, {
        ...fields,
        ...(error instanceof Error ? { stack_trace: stackOf(error) } : withoutStack(error)),
      }),
  };
}

/**
 * Error Reporting finds entries by their stack. What has none has to say that it is an error.
 * https://docs.cloud.google.com/error-reporting/docs/formatting-error-messages
 */
const withoutStack = (error: unknown) => ({
  '@type': 'type.googleapis.com/google.devtools.clouderrorreporting.v1beta1.ReportedErrorEvent',
  ...(error === undefined ? {} : { stack_trace: String(error) }),
});

/**
 * What Cloud Run sends is written into each entry; so all of one request are found together, with Cloud Run's own entry.
 * https://cloud.google.com/logging/docs/structured-logging#structured_logging_special_fields
 */
function traceFields(header: string | undefined, project: string): Fields {
  const found = traceOf(header ?? '');
  if (!found) return {};
  return {
    'logging.googleapis.com/trace': `projects/${project}/traces/${found.trace}`,
    ...(/[1-9a-f]/.test(found.span) ? { 'logging.googleapis.com/spanId': found.span } : {}),
    'logging.googleapis.com/trace_sampled': found.isSampled,
  };
}

type Trace = { trace: string /** 16 hexadecimal digits. */; span: string; isSampled: boolean };

/** `00-<trace>-<span>-01`, https://www.w3.org/TR/trace-context/, or Google's older `<trace>/<span>;o=1`. */
function traceOf(header: string): Trace | undefined {
  const [, trace, span = '', flags = ''] =
    /^[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(?:-|$)/.exec(header) ?? [];
  if (trace) return { trace, span, isSampled: Number.parseInt(flags, 16) % 2 === 1 };
  const [, older, decimal = '0', options] =
    /^([0-9a-f]{32})(?:\/(\d{1,20}))?(?:;o=(\d))?$/.exec(header) ?? [];
  if (!older) return undefined;
  // Decimal in the header, and hexadecimal in the log: https://cloud.google.com/trace/docs/trace-log-integration
  const hexadecimal = BigInt(decimal).toString(16).padStart(16, '0');
  return { trace: older, span: hexadecimal.length > 16 ? '' : hexadecimal, isSampled: options === '1' };
}

/**
 * The stack with its causes. Google's request errors carry the whole request, tokens included, in other properties;
 * so only name, message and stack are taken.
 */
function stackOf(error: unknown, depth = 0): string {
  if (!(error instanceof Error)) return String(error);
  // An error may be its own cause.
  const hasCause = error.cause !== undefined && depth < 8;
  const cause = hasCause ? `\nCaused by: ${stackOf(error.cause, depth + 1)}` : '';
  return `${error.stack ?? `${error.name}: ${error.message}`}${cause}`;
}
