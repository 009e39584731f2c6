import { Controller, Get, Header, HttpCode, Param, Post, Req, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { DataSource } from 'typeorm';
import { inTransaction } from '../platform/database/transaction.js';
import { answerPage } from '../platform/http/one-time-page.js';
import { Public } from '../platform/sign-in/who-may-call.js';
import { CredentialLinks, type HandedOver } from './credential-links.service.js';
import { confirmPage, passwordPage } from './credential-pages.js';

/** What a person sees who opens their one-time link; they need no sign-in, since they may have none yet. */
@ApiExcludeController()
@Controller('credential-links')
export class CredentialLinksController {
  constructor(
    private readonly db: DataSource,
    private readonly links: CredentialLinks,
  ) {}

  @Get(':token')
  @Public()
  @Header('Cache-Control', 'no-store')
  @Header('Referrer-Policy', 'no-referrer')
  async show(@Param('token') token: string, @Res() response: Response): Promise<void> {
    await answerPage(response, async () => confirmPage((await this.links.look(this.db.manager, token)).toolName));
  }

  @Post(':token')
  @Public()
  @HttpCode(200)
  @Header('Cache-Control', 'no-store')
  @Header('Referrer-Policy', 'no-referrer')
  async open(@Param('token') token: string, @Req() request: Request, @Res() response: Response): Promise<void> {
    const open = (): Promise<HandedOver> => inTransaction(this.db, (tx) => this.links.open(tx, token));
    if (request.accepts(['html', 'json']) === 'json') response.json(await open());
    else await answerPage(response, async () => passwordPage(await open()));
  }
}
