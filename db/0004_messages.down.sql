drop index activity_type;
drop table receipt_keys, receipts, provider_ids, attempts, deliveries, messages;
