import { z } from 'zod';

/** The service refused a request; the message is its own explanation. */
export class ApiRefusal extends Error {
  override readonly name = 'ApiRefusal';

  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

const ProblemSeen = z.object({ title: z.string(), detail: z.string().optional() });

interface Sent {
  body?: unknown;
  headers?: Readonly<Record<string, string>>;
}

/** Quartermaster's REST API as one caller uses it: a program with a token, or an admin who signed in by a link. */
export class QuartermasterApi {
  private constructor(
    readonly baseUrl: string,
    private readonly identity: Readonly<Record<string, string>>,
    private readonly signal: AbortSignal,
  ) {}

  static withToken(baseUrl: string, token: string, signal: AbortSignal): QuartermasterApi {
    return new QuartermasterApi(baseUrl, { authorization: `Bearer ${token}` }, signal);
  }

  static asNobody(baseUrl: string, signal: AbortSignal): QuartermasterApi {
    return new QuartermasterApi(baseUrl, {}, signal);
  }

  /** Opens a one-time sign-in link as a browser would, and keeps the session. */
  static async bySignInLink(baseUrl: string, link: string, signal: AbortSignal): Promise<QuartermasterApi> {
    // As a browser tells it on the service's own pages.
    const { origin } = new URL(link);
    const answer = await fetch(link, { method: 'POST', redirect: 'manual', headers: { origin }, signal });
    await answer.body?.cancel();
    const cookie = answer.headers.getSetCookie()[0]?.split(';')[0];
    if (answer.status !== 303 || !cookie) throw new ApiRefusal(answer.status, 'The sign-in link did not sign in.');
    return new QuartermasterApi(baseUrl, { cookie, origin }, signal);
  }

  async get<T>(path: string, shape: z.ZodType<T>): Promise<T> {
    return (await this.send('GET', path, shape)).value;
  }

  /** With the ETag that a later change has to name. */
  async getWithTag<T>(path: string, shape: z.ZodType<T>): Promise<{ value: T; tag: string }> {
    return this.send('GET', path, shape);
  }

  /** Every item of a list, page by page. */
  async list<T>(path: string, item: z.ZodType<T>): Promise<T[]> {
    const page = z.object({ items: z.array(item), next: z.string().nullable() });
    const items: T[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const query: string = `limit=200${cursor && `&cursor=${encodeURIComponent(cursor)}`}`;
      const { items: more, next } = await this.get(`${path}${path.includes('?') ? '&' : '?'}${query}`, page);
      items.push(...more);
      cursor = next;
    }
    return items;
  }

  async post<T>(path: string, body: unknown, shape: z.ZodType<T>): Promise<T> {
    return (await this.send('POST', path, shape, { body })).value;
  }

  /** Sends a page's form as a browser without scripts does, and answers the page that comes back. */
  async submit(path: string, form?: Readonly<Record<string, string>>): Promise<{ status: number; page: string }> {
    const answer = await fetch(new URL(path, this.baseUrl), {
      method: 'POST',
      headers: this.identity,
      body: form && new URLSearchParams(form),
      signal: this.signal,
    });
    return { status: answer.status, page: await answer.text() };
  }

  async patch<T>(path: string, tag: string, body: unknown, shape: z.ZodType<T>): Promise<T> {
    return (await this.send('PATCH', path, shape, { body, headers: { 'if-match': tag } })).value;
  }

  private async send<T>(
    method: string,
    path: string,
    shape: z.ZodType<T>,
    { body, headers }: Sent = {},
  ): Promise<{ value: T; tag: string }> {
    const answer = await fetch(`${this.baseUrl}${path}`, {
      method,
      headers: { accept: 'application/json', ...this.identity, ...headers, ...(body !== undefined && JSON_BODY) },
      body: body === undefined ? undefined : JSON.stringify(body),
      signal: this.signal,
    });
    const answered: unknown = answer.status === 204 ? undefined : await answer.json();
    if (!answer.ok) {
      const problem = ProblemSeen.safeParse(answered);
      const why = problem.success ? `${problem.data.title}. ${problem.data.detail ?? ''}` : 'No reason was given.';
      throw new ApiRefusal(answer.status, `${method} ${path}: ${answer.status}. ${why}`);
    }
    return { value: shape.parse(answered), tag: answer.headers.get('etag') ?? '' };
  }
}

const JSON_BODY = { 'content-type': 'application/json' };
