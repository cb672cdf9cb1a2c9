import { parentPort, Worker } from 'node:worker_threads';

/** Threads that answer jobs one after the other, so that models never hold up the event loop of the cloud. */
export type Workers<Job, Answer> = {
  /** Rejects with a {@link WorkerError} if the work throws, takes too long, or its thread dies. */
  ask(job: Job): Promise<Answer>;
  close(): Promise<void>;
};

export class WorkerError extends Error {
  override name = 'WorkerError';
  readonly reason: 'threw' | 'died' | 'late' | 'closed';

  constructor(reason: WorkerError['reason'], message: string) {
    super(message);
    this.reason = reason;
  }
}

type Task<Job, Answer> = { job: Job; resolve(answer: Answer): void; reject(error: WorkerError): void };

/**
 * At most `size` threads, each started when there is work for it and kept with its models loaded. A thread that
 * throws, dies or is late is ended, its job fails, and the next job gets a new one: nothing that a bad job left
 * behind reaches another. Jobs that wait have no time limit.
 *
 * @param script a module that calls {@link answerJobs}
 */
export function createWorkers<Job, Answer>(
  script: URL,
  { size, milliseconds }: { size: number; milliseconds: number },
): Workers<Job, Answer> {
  const waiting: Task<Job, Answer>[] = [];
  const busy = new Map<Worker, Task<Job, Answer>>();
  const idle: Worker[] = [];
  let closed = false;

  function start(): Worker {
    // What the models' libraries print is not for the person at the terminal.
    const worker = new Worker(script, { stdout: true, stderr: true });
    worker.stdout.resume();
    worker.stderr.resume();
    return worker;
  }

  function next(): void {
    const task = waiting[0];
    if (!task) return;
    const worker = idle.pop() ?? (busy.size < size ? start() : undefined);
    if (!worker) return;
    waiting.shift();
    busy.set(worker, task);
    const settle = () => {
      clearTimeout(timer);
      worker.removeAllListeners('message').removeAllListeners('error').removeAllListeners('exit');
      busy.delete(worker);
    };
    const succeed = (answer: Answer) => {
      settle();
      // An idle thread may die, too.
      worker.once('error', () => {}).once('exit', () => idle.splice(idle.indexOf(worker), 1));
      idle.push(worker);
      task.resolve(answer);
      next();
    };
    const fail = (reason: WorkerError['reason'], message: string) => {
      settle();
      worker.once('error', () => {});
      worker.terminate().catch(() => {});
      task.reject(new WorkerError(reason, message));
      next();
    };
    const timer = setTimeout(() => fail('late', `No answer within ${milliseconds} ms`), milliseconds).unref();
    worker
      .removeAllListeners('error')
      .removeAllListeners('exit')
      .once('message', ({ answer, error }: { answer: Answer; error?: string }) => {
        if (error === undefined) succeed(answer);
        else fail('threw', error);
      })
      .once('error', (error: unknown) => fail('died', String(error)))
      .once('exit', () => fail('died', closed ? 'The cloud was closed' : 'The thread ended'));
    // Listening to it keeps the process alive, but for this.
    worker.unref();
    worker.postMessage(task.job);
  }

  return {
    ask: (job) =>
      new Promise((resolve, reject) => {
        if (closed) return reject(new WorkerError('closed', 'The cloud was closed'));
        waiting.push({ job, resolve, reject });
        next();
      }),
    async close() {
      closed = true;
      for (const { reject } of waiting.splice(0)) reject(new WorkerError('closed', 'The cloud was closed'));
      await Promise.all([...busy.keys(), ...idle].map((worker) => worker.terminate()));
    },
  };
}

/** In the thread: answers one job at a time, in order. What `work` throws goes back as the job's failure. */
export function answerJobs<Job, Answer>(work: (job: Job) => Promise<Answer>): void {
  parentPort?.on('message', (job: Job) => {
    work(job).then(
      (answer) => parentPort?.postMessage({ answer }),
      (error: unknown) => parentPort?.postMessage({ error: String(error) }),
    );
  });
}
