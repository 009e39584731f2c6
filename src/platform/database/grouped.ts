import { setTimeout as delay } from 'node:timers/promises';
import { isDatabaseAway } from './database-problem.js';

/** How long the next group waits for one that is under way, in milliseconds. */
const PATIENCE = 50;

interface Waiting<Request, Answer> {
  request: Request;
  resolve: (answer: Answer) => void;
  reject: (error: unknown) => void;
}

/**
 * Does together what is asked for at the same time: while one group is under way the next one gathers. A lone request
 * waits for nobody; under load many share one round trip and one commit. A group that is held up (by somebody's lock)
 * holds up no other for longer than a moment. Each request is answered as if it had been alone, and what is read is read
 * after it was asked for.
 */
export class Grouped<Request, Answer> {
  private readonly waiting: Waiting<Request, Answer>[] = [];
  private isGathering = false;

  /**
   * @param answerAll answers in the order of the requests. When it throws nothing of the group may have happened: then
   * each request is tried by itself, so that one that can't be done fails no other
   */
  constructor(
    private readonly answerAll: (requests: readonly Request[]) => Promise<readonly Answer[]>,
    private readonly most = 64,
  ) {}

  ask(request: Request): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ request, resolve, reject });
      if (!this.isGathering) void this.work();
    });
  }

  private async work(): Promise<void> {
    this.isGathering = true;
    // Whatever is asked for in the same turn comes along.
    await Promise.resolve();
    while (this.waiting.length > 0) await settledOrLate(this.answer(this.waiting.splice(0, this.most)));
    this.isGathering = false;
  }

  private async answer(group: readonly Waiting<Request, Answer>[]): Promise<void> {
    try {
      const answers = await this.answerAll(group.map(({ request }) => request));
      if (answers.length !== group.length) throw new Error(`${answers.length} answers to ${group.length} requests`);
      for (const [index, answer] of answers.entries()) group[index]?.resolve(answer);
    } catch (error) {
      if (group.length > 1 && !isDatabaseAway(error)) await Promise.all(group.map((one) => this.answer([one])));
      else for (const { reject } of group) reject(error);
    }
  }
}

/** @param group never rejects */
async function settledOrLate(group: Promise<void>): Promise<void> {
  const patience = new AbortController();
  await Promise.race([group, delay(PATIENCE, undefined, { signal: patience.signal }).catch(() => undefined)]);
  patience.abort();
}
