/** What `doctor` says of one thing. */
export type Finding = {
  state: 'good' | 'worrying' | 'broken';
  what: string;
  /** What it means, and what to do about it. */
  words?: string;
  /** What comes after it need not be looked at. */
  isEnd?: true;
};
