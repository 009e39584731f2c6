import type { Row } from './row.js';
import type { Stage } from './stage/stage.js';

export interface BenchContext {
  stage: Stage;
  /** A few minutes altogether: fewer repetitions and smaller sizes, and it says so. */
  smoke: boolean;
  /** By `performance.now()`: the whole bench is over then. A measure that would go on for longer stops, and says so. */
  endsAt: number;
  say: (line: string) => void;
}

/** One part of the bench. It throws when it can't be taken: a figure that wasn't measured is never answered. */
export interface Measure {
  /** For `--only`. */
  name: string;
  run: (context: BenchContext) => Promise<Row[]>;
}
