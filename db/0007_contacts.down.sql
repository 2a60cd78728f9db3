drop table heard_words, opt_outs, addresses, contacts;
