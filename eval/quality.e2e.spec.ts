import { qualitySuite } from './quality-suite.js';

qualitySuite('cranfield', ['lexical.ndcg@10=.385', 'dense.ndcg@10=.38', 'hybrid.ndcg@10=.42'], 300_000);
