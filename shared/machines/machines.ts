import type { Candidate } from './candidate.ts';
import type { Failure } from './failure.ts';

/** What a machine is, as far as its price goes. */
export type Hardware = Pick<Candidate, 'machineType' | 'guestAccelerators' | 'model'> & {
  /** Of its Local SSDs, which are in no list of disks. */
  localSsdGb: number;
};

/** A machine as its service describes it now. */
export type Machine = {
  kind: Candidate['kind'];
  name: string;
  zone: string;
  /** In the service's own words, of which there are more than are known here. */
  status: string;
  labels: Record<string, string>;
  createdAt: string;
  /** When it ran first, and when it stopped if it has. */
  startedAt?: string;
  stoppedAt?: string;
  /** When the service ends it by itself. */
  endsAt?: string;
  deletionProtection?: true;
  /** What made it, if that says so of itself: `projects/1/zones/z/instanceGroupManagers/g`. */
  createdBy?: string;
  hardware?: Hardware;
};

export type Disk = {
  name: string;
  zone: string;
  labels: Record<string, string>;
  /** Of the machines that use it. */
  users: string[];
  sizeGb: number;
  type: string;
  createdAt: string;
};

/** What a look at all zones has shown. */
export type Seen = {
  machines: Machine[];
  disks: Disk[];
  /** Whether nothing being seen in a zone means that nothing is there. No answer is not a no. */
  wasSeen: (zone: string) => boolean;
  /** Zones that did not answer, in words; empty when all did. */
  unseen: string[];
};

export type Removed = {
  /** By what the service says there is none any more. */
  gone: boolean;
  /** When it ended, and when it ran first, if that is known. */
  at?: string;
  startedAt?: string;
  failure?: Failure;
};

export type Stopped = {
  /** By what the service says it does not run any more; if neither, it was still shutting down when the time was over. */
  stopped: boolean;
  failure?: Failure;
};

/** A service whose machines and disks cost something, whoever made them. */
export type Paid = {
  /** Of these it says whether there are any. */
  covers: ('machine' | 'disk' | 'tpu')[];
  listAll(): Promise<Seen>;
  /** When machines of this name came to an end, the first one first; missing where the service does not say. */
  endsOf?(zone: string, name: string): Promise<string[]>;
};

/** A service that has machines. `Request` is how it is asked for one; errors of the network come through as they are. */
export type Machines<Request = unknown> = {
  /**
   * Asks for a machine and waits for the answer: that a request is accepted says nothing, a stock-out comes later.
   * @returns `unknown` if there was none when the time was over; the same request asks for it again
   */
  insert(request: Request, patience: number): Promise<'there' | 'unknown' | Failure>;
  /** @returns undefined if the service says that there is none */
  look(zone: string, name: string): Promise<Machine | undefined>;
  /** Ends a machine, and whatever else belongs to it. */
  remove(zone: string, name: string): Promise<Removed>;
  removeDisk(disk: Pick<Disk, 'zone' | 'name'>): Promise<Removed>;
  /** All that are labelled as this lab's. */
  list(lab: string): Promise<Seen>;
  /** Whether the service has taken this machine away. */
  wasPreempted(zone: string, name: string): Promise<boolean>;
  /** The last lines that it printed while it started, if the service keeps them. */
  bootLines(zone: string, name: string): Promise<string[]>;
};

/** Each service is loaded when its kind of machine is met. */
export type MachinesByKind = (kind: Candidate['kind']) => Promise<Machines>;
