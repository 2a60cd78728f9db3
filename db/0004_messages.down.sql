drop table receipt_keys, receipts, provider_ids, attempts, deliveries, messages;
