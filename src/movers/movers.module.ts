import { Module } from '@nestjs/common';
import { CasesModule } from '../cases/cases.module.js';
import { PeopleModule } from '../people/people.module.js';
import { MoversService } from './movers.service.js';

@Module({ imports: [PeopleModule, CasesModule], providers: [MoversService], exports: [MoversService] })
export class MoversModule {}
