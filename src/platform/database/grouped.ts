import { isDatabaseAway } from './database-problem.js';
import { sqlState } from './transaction.js';

interface Waiting<Request, Answer> {
  request: Request;
  resolve: (answer: Answer) => void;
  reject: (error: unknown) => void;
}

/**
 * For `set_config('lock_timeout', …, true)` ahead of the first lock: a group waits for nobody's lock for long, since
 * others wait for the group; `0` is for as long as PostgreSQL lets a statement wait.
 */
export type LockTimeout = '250ms' | '0';

/** SQLSTATE: lock_not_available. */
const LOCKED_BY_ANOTHER = '55P03';

/**
 * Does together what is asked for at the same time: while one group is under way the next one gathers. A lone request
 * waits for nobody; under load many share one round trip and one commit. Each request is answered as if it had been
 * alone, and what is read is read after it was asked for.
 */
export class Grouped<Request, Answer> {
  private readonly waiting: Waiting<Request, Answer>[] = [];
  private isUnderWay = false;

  /**
   * @param answerAll answers in the order of the requests. When it throws nothing of the group may have happened: then
   * each request is tried by itself and keeps nobody waiting, so that one that can't be done, or not now, fails no other
   */
  constructor(
    private readonly answerAll: (requests: readonly Request[], lockTimeout: LockTimeout) => Promise<readonly Answer[]>,
    private readonly most = 64,
  ) {}

  ask(request: Request): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ request, resolve, reject });
      if (!this.isUnderWay) void this.work();
    });
  }

  private async work(): Promise<void> {
    this.isUnderWay = true;
    // Whatever is asked for in the same turn comes along.
    await Promise.resolve();
    while (this.waiting.length > 0) await this.answerTogether(this.waiting.splice(0, this.most));
    this.isUnderWay = false;
  }

  private async answerTogether(group: readonly Waiting<Request, Answer>[]): Promise<void> {
    try {
      await this.answer(group, '250ms');
    } catch (error) {
      const mayHelp = group.length > 1 ? !isDatabaseAway(error) : sqlState(error) === LOCKED_BY_ANOTHER;
      for (const one of group) {
        if (mayHelp) void this.answer([one], '0').catch(one.reject);
        else one.reject(error);
      }
    }
  }

  private async answer(group: readonly Waiting<Request, Answer>[], lockTimeout: LockTimeout): Promise<void> {
    const requests = group.map(({ request }) => request);
    const answers = await this.answerAll(requests, lockTimeout);
    if (answers.length !== group.length) throw new Error(`${answers.length} answers to ${group.length} requests`);
    for (const [index, answer] of answers.entries()) group[index]?.resolve(answer);
  }
}
