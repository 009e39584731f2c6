export interface Page {
  status: number;
  url: URL;
  text: string;
  headers: Headers;
}

/** A browser without a screen or scripts: it keeps cookies for each host and port, and follows redirects. */
export class PlainBrowser {
  private readonly jars = new Map<string, Map<string, string>>();

  /** @param isStop where it doesn't go, but answers the redirect that leads there. */
  async get(url: string | URL, isStop: (next: URL) => boolean = () => false): Promise<Page> {
    return this.go(new URL(url), { method: 'GET' }, isStop);
  }

  async post(
    url: string | URL,
    form: Record<string, string>,
    isStop: (next: URL) => boolean = () => false,
  ): Promise<Page> {
    const target = new URL(url);
    const headers = { 'content-type': 'application/x-www-form-urlencoded', origin: target.origin };
    return this.go(target, { method: 'POST', body: new URLSearchParams(form).toString(), headers }, isStop);
  }

  /** Its cookies there, as a header. */
  cookies(url: string | URL): string {
    return [...this.jar(new URL(url))].map(([name, value]) => `${name}=${value}`).join('; ');
  }

  private async go(url: URL, init: RequestInit, isStop: (next: URL) => boolean): Promise<Page> {
    const headers = { ...(init.headers as Record<string, string>), cookie: this.cookies(url) };
    const response = await fetch(url, { ...init, headers, redirect: 'manual' });
    const jar = this.jar(url);
    for (const cookie of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(cookie) ?? [];
      if (value === '' || cookie.includes('01 Jan 1970')) jar.delete(name);
      else jar.set(name, value);
    }
    const text = await response.text();
    const location = response.headers.get('location');
    if (location === null) return { status: response.status, url, text, headers: response.headers };
    const next = new URL(location, url);
    if (isStop(next)) return { status: response.status, url: next, text, headers: response.headers };
    return this.go(next, { method: 'GET' }, isStop);
  }

  private jar(url: URL): Map<string, string> {
    const jar = this.jars.get(url.host) ?? new Map<string, string>();
    this.jars.set(url.host, jar);
    return jar;
  }
}
