import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { z } from 'zod';
import { cloneFolder } from '../embedded/places.js';

const START_LIMIT_MS = 30_000;
const STOP_LIMIT_MS = 5_000;

const UserSeen = z.object({
  id: z.string(),
  userName: z.string(),
  active: z.boolean(),
  emails: z.array(z.object({ value: z.string() })).default([]),
  groups: z.array(z.object({ display: z.string() })).default([]),
});
export type UserSeen = z.infer<typeof UserSeen>;

/** An app that the company uses, as a process of its own: SCIM for whoever provisions it, a sign-in for people. */
export class CompanyApp {
  private constructor(
    readonly url: string,
    private readonly scimToken: string,
    /** Asks it to end, and kills it when it hasn't within 5 s. */
    readonly stop: () => Promise<void>,
  ) {}

  /** Where SCIM is spoken. */
  get scimUrl(): string {
    return `${this.url}/scim/v2`;
  }

  static async start(options: { folder: string; scimToken: string; groups: readonly string[] }): Promise<CompanyApp> {
    const { folder, scimToken, groups } = options;
    const child = fork(
      join(cloneFolder(), 'dist', 'scripts', 'demo', 'scim-app', 'main.js'),
      ['--dir', folder, '--port', '0', '--groups', groups.join(',')],
      {
        env: { ...process.env, SCIM_TOKEN: scimToken },
        stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
        // Ctrl-C must reach the demo only, which then ends everything in order; the channel ends it should we be killed.
        detached: true,
      },
    );
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (chunk: Buffer) => (output += chunk.toString()));
    const ended = once(child, 'close');
    const stop = async (): Promise<void> => {
      child.kill('SIGTERM');
      const patience = setTimeout(() => child.kill('SIGKILL'), STOP_LIMIT_MS);
      await ended;
      clearTimeout(patience);
    };
    const ready = new Promise<string>((resolve, reject) => {
      const fail = () => reject(new Error(`The app in ${folder} did not start:\n${output}`));
      const patience = setTimeout(fail, START_LIMIT_MS);
      child.once('close', fail);
      child.stdout?.on('data', () => {
        const url = /ready on (http:\S+)/.exec(output)?.[1];
        if (!url) return;
        clearTimeout(patience);
        resolve(url);
      });
    });
    try {
      return new CompanyApp(await ready, scimToken, stop);
    } catch (error) {
      await stop();
      throw error;
    }
  }

  /** Asked over SCIM, as an auditor would. */
  async user(userName: string): Promise<UserSeen | null> {
    const filter = new URLSearchParams({ filter: `userName eq "${userName}"` });
    const answer = await fetch(`${this.scimUrl}/Users?${filter.toString()}`, {
      headers: { authorization: `Bearer ${this.scimToken}` },
    });
    if (!answer.ok) throw new Error(`SCIM at ${this.scimUrl} answered ${answer.status}`);
    return z.object({ Resources: z.array(UserSeen) }).parse(await answer.json()).Resources[0] ?? null;
  }

  /** A person signs in: their token, or null when the app refuses. */
  async signIn(userName: string, password: string): Promise<string | null> {
    const answer = await fetch(`${this.url}/session`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ userName, password }),
    });
    const body: unknown = await answer.json();
    return answer.ok ? z.object({ token: z.string() }).parse(body).token : null;
  }

  /** Whether a person's token opens anything. */
  async accepts(token: string): Promise<boolean> {
    const answer = await fetch(`${this.url}/me`, { headers: { authorization: `Bearer ${token}` } });
    await answer.body?.cancel();
    return answer.ok;
  }
}
