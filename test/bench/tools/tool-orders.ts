/** What the bench and the process with its tools say to one another. */
export type ToolOrder =
  | { order: 'latency'; milliseconds: number }
  /** Answers what was recorded since the last time, and forgets it. */
  | { order: 'take'; id: number };

export type ToolNews = { news: 'listening'; ports: number[] } | { news: 'taken'; id: number; taken: Taken };

export interface Taken {
  /** All requests, looks included. */
  requests: number;
  /** Each call that ends an account's access, as it arrived. */
  cuts: Cut[];
  /** Requests by attempt, for chains of round trips. */
  perAttempt: Record<string, number>;
}

export interface Cut {
  tool: number;
  userName: string;
  /** Unix time in milliseconds. */
  at: number;
}
