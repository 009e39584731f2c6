import { Agent, get } from 'node:http';
import type { BenchService } from './bench-service.js';

/** Asks the service over one kept connection, signed in, and tells how long each answer took to the last byte. */
export class TimedReader {
  private readonly agent = new Agent({ keepAlive: true });

  constructor(private readonly service: BenchService) {}

  /** @throws Error for any answer but 200 */
  async get(path: string): Promise<{ ms: number; body: unknown }> {
    const startedAt = performance.now();
    const { status, text } = await new Promise<{ status: number; text: string }>((resolve, reject) => {
      const options = { agent: this.agent, headers: this.service.authorization };
      get(`${this.service.url}${path}`, options, (answer) => {
        let text = '';
        answer.setEncoding('utf8');
        answer.on('data', (chunk: string) => (text += chunk));
        answer.once('end', () => resolve({ status: answer.statusCode ?? 0, text }));
      }).once('error', reject);
    });
    const ms = performance.now() - startedAt;
    if (status !== 200) throw new Error(`GET ${path}: ${status} ${text}`);
    return { ms, body: JSON.parse(text) };
  }

  close(): void {
    this.agent.destroy();
  }
}
