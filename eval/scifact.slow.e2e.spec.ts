import { qualitySuite } from './quality-suite.js';

qualitySuite('scifact', ['lexical.ndcg@10=.679', 'dense.ndcg@10=.642', 'hybrid.ndcg@10=.73'], 1_200_000);
