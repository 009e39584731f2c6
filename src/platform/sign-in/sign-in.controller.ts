import { Controller, Get, Header, HttpCode, Param, Post, Query, Req, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { DataSource } from 'typeorm';
import { z } from 'zod';
import { Config } from '../config/config.js';
import { BrowserSessions } from './browser-sessions.service.js';
import { originOf } from './origin.js';
import { returnPath, START } from './return-path.js';
import { giveSessionCookie, refuseOtherSites, sessionTokenIn } from './session-cookie.js';
import { SignInLinks } from './sign-in-links.service.js';
import { alreadyInPage, confirmPage, startPage, usedUpPage } from './sign-in-pages.js';
import { Public } from './who-may-call.js';

const Wish = z.object({ return: z.string().optional() });

@ApiExcludeController()
@Controller('sign-in')
export class SignInController {
  constructor(
    private readonly db: DataSource,
    private readonly links: SignInLinks,
    private readonly sessions: BrowserSessions,
    private readonly config: Config,
  ) {}

  @Get()
  @Public()
  @Header('Content-Type', 'text/html; charset=utf-8')
  @Header('Cache-Control', 'no-store')
  @Header('Referrer-Policy', 'strict-origin')
  async start(@Query({ schema: Wish }) wish: z.infer<typeof Wish>, @Req() request: Request): Promise<string> {
    const returnTo = returnPath(wish.return, this.config.publicUrl);
    const token = sessionTokenIn(request, this.config);
    const browser = token === null ? null : await this.sessions.find(token);
    return browser ? alreadyInPage(browser.actor.name, returnTo) : startPage(this.config.oidc?.name ?? null, returnTo);
  }

  @Get(':token')
  @Public()
  @Header('Content-Type', 'text/html; charset=utf-8')
  @Header('Cache-Control', 'no-store')
  // Without it a browser hides where the form was sent from, and over plain http nothing else tells.
  @Header('Referrer-Policy', 'strict-origin')
  async show(@Param('token') token: string, @Res({ passthrough: true }) response: Response): Promise<string> {
    const holder = await this.links.holder(this.db.manager, token);
    if (holder) return confirmPage(holder.actorName);
    return this.usedUp(response);
  }

  @Post(':token')
  @Public()
  @HttpCode(303)
  @Header('Cache-Control', 'no-store')
  async signIn(@Param('token') token: string, @Req() request: Request, @Res() response: Response): Promise<void> {
    // Another site's page would sign people in as somebody else, who then sees what they do.
    refuseOtherSites(request, this.config);
    const former = sessionTokenIn(request, this.config);
    const formerId = former === null ? null : ((await this.sessions.find(former))?.sessionId ?? null);
    const from = originOf(request);
    const session = await this.db.transaction(async (tx) => {
      const holder = await this.links.consume(tx, token, from);
      return holder ? this.sessions.startByLink(tx, holder, formerId, from) : null;
    });
    if (!session) {
      response.type('html').send(this.usedUp(response));
      return;
    }
    giveSessionCookie(response, this.config, session);
    response.redirect(303, START);
  }

  private usedUp(response: Response): string {
    response.status(410);
    return usedUpPage();
  }
}
