import { Controller, Get, Header, HttpCode, Param, Post, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { Response } from 'express';
import { DataSource } from 'typeorm';
import { Config } from '../config/config.js';
import { BrowserSessions } from './browser-sessions.service.js';
import { sessionCookieName, sessionCookieOptions } from './session-cookie.js';
import { SignInLinks } from './sign-in-links.service.js';
import { confirmPage, usedUpPage } from './sign-in-pages.js';
import { Public } from './who-may-call.js';

@ApiExcludeController()
@Controller('sign-in')
export class SignInController {
  constructor(
    private readonly db: DataSource,
    private readonly links: SignInLinks,
    private readonly sessions: BrowserSessions,
    private readonly config: Config,
  ) {}

  @Get(':token')
  @Public()
  @Header('Content-Type', 'text/html; charset=utf-8')
  @Header('Cache-Control', 'no-store')
  async show(@Param('token') token: string, @Res({ passthrough: true }) response: Response): Promise<string> {
    const holder = await this.links.holder(this.db.manager, token);
    if (holder) return confirmPage(holder.actorName);
    return this.usedUp(response);
  }

  @Post(':token')
  @Public()
  @HttpCode(303)
  @Header('Cache-Control', 'no-store')
  async signIn(@Param('token') token: string, @Res() response: Response): Promise<void> {
    const session = await this.db.transaction(async (tx) => {
      const holder = await this.links.consume(tx, token);
      return holder ? this.sessions.start(tx, holder) : null;
    });
    if (!session) {
      response.type('html').send(this.usedUp(response));
      return;
    }
    response.cookie(sessionCookieName(this.config), session, sessionCookieOptions(this.config));
    response.redirect(303, '/docs');
  }

  private usedUp(response: Response): string {
    response.status(410);
    return usedUpPage();
  }
}
