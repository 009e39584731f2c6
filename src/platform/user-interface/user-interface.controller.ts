import { Controller, Get, Header, Param, Redirect, Req, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { Problem } from '../errors/problem.js';
import { contentSecurityPolicy } from '../http/content-security-policy.js';
import { plainPage } from '../http/plain-page.js';
import { START } from '../sign-in/return-path.js';
import { Public } from '../sign-in/who-may-call.js';
import { BuiltPages } from './built-pages.service.js';

/** Stricter than elsewhere: scripts and styles come from files of ours, and nothing in the page counts as either. */
const CONTENT_SECURITY_POLICY = contentSecurityPolicy();

/** A year: a file that changes gets another name. */
const FOR_GOOD = 'public, max-age=31536000, immutable';

/** The files of the user interface. They hold nothing of anybody; what they show they ask of the API, as the one signed in. */
@ApiExcludeController()
@Controller()
export class UserInterfaceController {
  constructor(private readonly built: BuiltPages) {}

  @Get()
  @Public()
  @Redirect(START, 302)
  start(): void {
    // The decorator does it.
  }

  @Get('app/assets/:file')
  @Public()
  async asset(@Param('file') name: string, @Req() request: Request, @Res() response: Response): Promise<void> {
    const file = await this.built.file(name);
    if (!file) throw new Problem('not-found', 'The user interface has no such file. Load the page again.');
    response.setHeader('Cache-Control', FOR_GOOD);
    response.setHeader('Vary', 'Accept-Encoding');
    response.type(file.type);
    if (request.acceptsEncodings('gzip', 'identity') !== 'gzip') {
      response.send(file.plain);
      return;
    }
    response.setHeader('Content-Encoding', 'gzip');
    response.send(file.zipped);
  }

  /** Each address of the interface is the same page; what it shows there is the page's own matter. */
  @Get(['app', 'app/*path'])
  @Public()
  @Header('Content-Type', 'text/html; charset=utf-8')
  @Header('Cache-Control', 'no-cache')
  async page(@Res({ passthrough: true }) response: Response): Promise<string> {
    const page = await this.built.page();
    if (page === null) return notBuiltPage();
    response.setHeader('Content-Security-Policy', CONTENT_SECURITY_POLICY);
    return page;
  }
}

function notBuiltPage(): string {
  return plainPage(
    'The user interface isn’t here',
    `<p>It wasn’t built: <code>npm run build</code> makes it. The API is there, and <a href="/docs">described</a>.</p>`,
  );
}
