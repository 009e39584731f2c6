import { Module } from '@nestjs/common';
import { CasesModule } from '../cases/cases.module.js';
import { PeopleModule } from '../people/people.module.js';
import { JoinersService } from './joiners.service.js';

@Module({ imports: [PeopleModule, CasesModule], providers: [JoinersService], exports: [JoinersService] })
export class JoinersModule {}
