import { Controller, Header, HttpCode, Post, Req, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { DataSource } from 'typeorm';
import { Config } from '../config/config.js';
import type { Origin } from './actor.js';
import { BrowserSessions, type EndedSession } from './browser-sessions.service.js';
import { originOf } from './origin.js';
import { SignOutAtProvider } from './oidc/sign-out-at-provider.service.js';
import { refuseOtherSites, sessionTokenIn, takeSessionCookie } from './session-cookie.js';
import { signedOutPage } from './sign-in-pages.js';
import { Public } from './who-may-call.js';

@ApiExcludeController()
@Controller('sign-out')
export class SignOutController {
  constructor(
    private readonly db: DataSource,
    private readonly sessions: BrowserSessions,
    private readonly atProvider: SignOutAtProvider,
    private readonly config: Config,
  ) {}

  /** Ends the session here at once; a page, or `{"continueAt": …}` for a program, leads to the provider's own end. */
  @Post()
  @Public()
  @HttpCode(200)
  @Header('Cache-Control', 'no-store')
  async signOut(@Req() request: Request, @Res() response: Response): Promise<void> {
    refuseOtherSites(request, this.config);
    const ended = await this.end(sessionTokenIn(request, this.config), originOf(request));
    takeSessionCookie(response, this.config);
    const continueAt = ended ? await this.atProvider.addressFor(ended) : null;
    if (request.accepts(['html', 'json']) === 'json') response.json({ continueAt });
    // A page, no redirect: our content security policy lets forms lead to ourselves only.
    else response.type('html').send(signedOutPage(continueAt));
  }

  private async end(token: string | null, from: Origin): Promise<EndedSession | null> {
    const browser = token === null ? null : await this.sessions.find(token);
    if (!browser) return null;
    const actor = { ...browser.actor, from };
    return this.db.transaction((tx) => this.sessions.end(tx, actor, browser.sessionId, 'signed out'));
  }
}
