CREATE TABLE alembic_version (
    version_num VARCHAR(32) NOT NULL,
    CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);

CREATE TABLE audit (
    seq BIGINT NOT NULL,
    at VARCHAR(27) NOT NULL,
    who VARCHAR(255) NOT NULL,
    roles VARCHAR NOT NULL,
    origin VARCHAR(20) NOT NULL,
    address VARCHAR(64),
    action VARCHAR(60) NOT NULL,
    subject VARCHAR(255) NOT NULL,
    "before" TEXT,
    "after" TEXT,
    previous VARCHAR(64) NOT NULL,
    hash VARCHAR(64) NOT NULL,
    PRIMARY KEY (seq)
);

CREATE INDEX audit_by_action ON audit (action, seq);

CREATE INDEX audit_by_subject ON audit (subject, seq);

CREATE INDEX audit_by_who ON audit (who, seq);

CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;

CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;

CREATE TABLE backfill (
    id INTEGER NOT NULL,
    holder VARCHAR,
    held_until VARCHAR(27),
    round_at VARCHAR(27),
    asked INTEGER DEFAULT '0' NOT NULL,
    found INTEGER DEFAULT '0' NOT NULL,
    problem TEXT,
    patrol_began_at VARCHAR(27),
    patrol_ended_at VARCHAR(27),
    patrol_at VARCHAR(27),
    patrol_seq BIGINT,
    patrol_asked INTEGER DEFAULT '0' NOT NULL,
    patrol_found INTEGER DEFAULT '0' NOT NULL, introduced_seq BIGINT, erased_at VARCHAR(27), erased_seq BIGINT,
    PRIMARY KEY (id)
);

CREATE TABLE backup (
    id INTEGER NOT NULL,
    at VARCHAR(27) NOT NULL,
    file VARCHAR NOT NULL,
    size BIGINT NOT NULL,
    events BIGINT NOT NULL,
    payments BIGINT NOT NULL,
    PRIMARY KEY (id)
);

CREATE TABLE breakdown (
    kind VARCHAR(12) NOT NULL,
    day VARCHAR(10) NOT NULL,
    currency VARCHAR(8) NOT NULL,
    value VARCHAR(255) NOT NULL,
    count BIGINT NOT NULL,
    amount BIGINT NOT NULL,
    PRIMARY KEY (kind, day, currency, value)
);

CREATE TABLE bulk (
    id VARCHAR(32) NOT NULL,
    file_name VARCHAR(200) NOT NULL,
    lines INTEGER NOT NULL,
    uploaded_by VARCHAR(255) NOT NULL,
    uploaded_at VARCHAR(27) NOT NULL,
    state VARCHAR(10) NOT NULL,
    checked_at VARCHAR(27),
    confirmed_by VARCHAR(255),
    confirmed_roles VARCHAR,
    confirmed_origin VARCHAR(20),
    confirmed_at VARCHAR(27),
    ended_at VARCHAR(27),
    problem TEXT,
    PRIMARY KEY (id)
);

CREATE INDEX bulk_newest ON bulk (uploaded_at, id);

CREATE INDEX ix_bulk_state ON bulk (state);

CREATE TABLE bulk_line (
    bulk_id VARCHAR(32) NOT NULL,
    line INTEGER NOT NULL,
    refund_key VARCHAR(50) NOT NULL,
    reference TEXT NOT NULL,
    given_payment TEXT NOT NULL,
    given_amount TEXT NOT NULL,
    given_currency TEXT NOT NULL,
    given_reason TEXT NOT NULL,
    note TEXT NOT NULL,
    payment_id VARCHAR(120),
    amount BIGINT,
    currency VARCHAR(8),
    reason VARCHAR(40),
    occurrence INTEGER,
    status VARCHAR(20) NOT NULL,
    said TEXT NOT NULL,
    claimed_until VARCHAR(27),
    PRIMARY KEY (bulk_id, line)
);

CREATE INDEX bulk_line_by_status ON bulk_line (bulk_id, status, line, currency, amount);

CREATE INDEX bulk_line_of_payment ON bulk_line (payment_id);

CREATE TABLE compared (
    id INTEGER NOT NULL,
    event_seq BIGINT NOT NULL,
    PRIMARY KEY (id)
);

CREATE TABLE creation (
    "key" VARCHAR(120) NOT NULL,
    status VARCHAR(10) NOT NULL,
    requested_by VARCHAR NOT NULL,
    requested_at VARCHAR(27) NOT NULL,
    body TEXT NOT NULL,
    payment_id VARCHAR(120),
    problem TEXT,
    answer TEXT,
    PRIMARY KEY ("key")
);

CREATE INDEX ix_creation_status ON creation (status);

CREATE TABLE delivery (
    id INTEGER NOT NULL,
    received_at VARCHAR(27) NOT NULL,
    verdict VARCHAR(20) NOT NULL,
    reason TEXT NOT NULL,
    event_id VARCHAR(120),
    event_type VARCHAR(80),
    payment_id VARCHAR(120),
    signature VARCHAR(128),
    sender VARCHAR(64),
    size INTEGER NOT NULL,
    body TEXT, event_seq BIGINT, key_index INTEGER,
    PRIMARY KEY (id)
);

CREATE INDEX delivery_by_event ON delivery (event_seq, id);

CREATE INDEX delivery_by_type ON delivery (event_type, id);

CREATE INDEX delivery_by_verdict ON delivery (verdict, id);

CREATE TABLE event (
    seq INTEGER NOT NULL,
    id VARCHAR(120) NOT NULL,
    type VARCHAR(80) NOT NULL,
    source VARCHAR(8) NOT NULL,
    payment_id VARCHAR(120),
    action_id VARCHAR(120),
    occurred_at VARCHAR(27) NOT NULL,
    recorded_at VARCHAR(27) NOT NULL,
    body TEXT NOT NULL, payment_seq BIGINT,
    PRIMARY KEY (seq),
    UNIQUE (id)
);

CREATE INDEX event_of_payment ON event (payment_seq, seq);

CREATE TABLE fee_quarter (
    bucket VARCHAR(27) NOT NULL,
    currency VARCHAR(8) NOT NULL,
    holding VARCHAR(8) NOT NULL,
    units BIGINT NOT NULL,
    PRIMARY KEY (bucket, currency, holding)
);

CREATE TABLE ledger_zone (
    id INTEGER NOT NULL,
    zone VARCHAR(60) NOT NULL,
    PRIMARY KEY (id)
);

CREATE TABLE payment (
    seq INTEGER NOT NULL,
    id VARCHAR(120) NOT NULL,
    reference VARCHAR,
    currency VARCHAR(8),
    amount BIGINT,
    status VARCHAR(24) NOT NULL,
    captured BIGINT NOT NULL,
    refunded BIGINT NOT NULL,
    refund_pending BIGINT NOT NULL,
    refund_reserved BIGINT NOT NULL,
    customer_id VARCHAR,
    customer_email VARCHAR,
    customer_name VARCHAR,
    payment_type VARCHAR,
    terminal_type VARCHAR,
    source_id VARCHAR,
    redirect_url TEXT,
    response_code VARCHAR,
    response_summary VARCHAR,
    requested_by VARCHAR,
    attention VARCHAR,
    requested_at VARCHAR(27) NOT NULL,
    captured_at VARCHAR(27),
    closed_at VARCHAR(27),
    expires_at VARCHAR(27),
    updated_at VARCHAR(27) NOT NULL,
    version INTEGER NOT NULL,
    folded TEXT NOT NULL, searched INTEGER DEFAULT '0' NOT NULL, untold BIGINT DEFAULT '0' NOT NULL, untold_at VARCHAR(27),
    PRIMARY KEY (seq),
    UNIQUE (id)
);

CREATE INDEX payment_by_amount ON payment (currency, amount);

CREATE INDEX payment_by_currency_status ON payment (currency, status, requested_at, seq);

CREATE INDEX payment_by_refunded ON payment (currency, refunded) WHERE refunded > 0;

CREATE INDEX payment_by_source ON payment (source_id) WHERE source_id IS NOT NULL;

CREATE INDEX payment_by_terminal ON payment (terminal_type, requested_at, seq);

CREATE INDEX payment_moved ON payment (currency, captured_at, seq) WHERE captured_at IS NOT NULL;

CREATE INDEX payment_newest ON payment (requested_at, seq);

CREATE INDEX payment_unsearched ON payment (seq) WHERE searched = 0;

CREATE INDEX payment_untold ON payment (currency, untold_at, seq) WHERE untold_at IS NOT NULL;

CREATE INDEX payment_with_attention ON payment (requested_at, seq) WHERE attention IS NOT NULL;

CREATE TABLE payout (
    id VARCHAR(40) NOT NULL,
    holding VARCHAR(8) NOT NULL,
    amount BIGINT NOT NULL,
    paid_on VARCHAR(10) NOT NULL,
    file_id BIGINT NOT NULL,
    number INTEGER NOT NULL,
    extra TEXT,
    PRIMARY KEY (id)
);

CREATE INDEX payout_newest ON payout (paid_on, id);

CREATE TABLE period (
    id INTEGER NOT NULL,
    currency VARCHAR(8) NOT NULL,
    month VARCHAR(7) NOT NULL,
    since VARCHAR(27) NOT NULL,
    until VARCHAR(27) NOT NULL,
    opening BIGINT NOT NULL,
    gross BIGINT NOT NULL,
    refunded BIGINT NOT NULL,
    fees BIGINT NOT NULL,
    closing BIGINT NOT NULL,
    captured_count BIGINT NOT NULL,
    refunded_count BIGINT NOT NULL,
    rows BIGINT NOT NULL,
    sha256 VARCHAR(64) NOT NULL,
    event_seq BIGINT NOT NULL,
    closed_at VARCHAR(27) NOT NULL,
    closed_by VARCHAR(255) NOT NULL,
    reopen_reason TEXT,
    reopen_asked_by VARCHAR(255),
    reopen_asked_at VARCHAR(27),
    reopened_by VARCHAR(255),
    reopened_at VARCHAR(27),
    PRIMARY KEY (id),
    CONSTRAINT period_adds_up CHECK (opening + gross - refunded - fees = closing),
    CONSTRAINT period_reopened_by_another CHECK ((reopened_by IS NULL) = (reopened_at IS NULL) AND (reopened_by IS NULL OR (reopen_asked_by IS NOT NULL AND reopen_reason IS NOT NULL AND reopened_by <> reopen_asked_by)))
);

CREATE UNIQUE INDEX period_closed ON period (currency, month) WHERE reopened_at IS NULL;

CREATE TRIGGER period_stays_0 BEFORE UPDATE OF currency, month, since, until, opening, gross, refunded, fees, closing, captured_count, refunded_count, rows, sha256, event_seq, closed_at, closed_by ON period BEGIN SELECT RAISE(ABORT, 'a closed period keeps its figures'); END;

CREATE TRIGGER period_stays_1 BEFORE DELETE ON period BEGIN SELECT RAISE(ABORT, 'a closed period keeps its figures'); END;

CREATE TABLE period_quarter (
    period_id BIGINT NOT NULL,
    bucket VARCHAR(27) NOT NULL,
    captured BIGINT NOT NULL,
    captured_count BIGINT NOT NULL,
    refunded BIGINT NOT NULL,
    refunded_count BIGINT NOT NULL,
    PRIMARY KEY (period_id, bucket)
);

CREATE TRIGGER period_quarter_stays_0 BEFORE UPDATE ON period_quarter BEGIN SELECT RAISE(ABORT, 'a closed period keeps its figures'); END;

CREATE TRIGGER period_quarter_stays_1 BEFORE DELETE ON period_quarter BEGIN SELECT RAISE(ABORT, 'a closed period keeps its figures'); END;

CREATE TABLE period_sheet (
    period_id BIGINT NOT NULL,
    part INTEGER NOT NULL,
    first_at VARCHAR(27) NOT NULL,
    last_at VARCHAR(27) NOT NULL,
    lines TEXT NOT NULL,
    PRIMARY KEY (period_id, part)
);

CREATE TRIGGER period_sheet_stays_0 BEFORE UPDATE ON period_sheet BEGIN SELECT RAISE(ABORT, 'a closed period keeps its figures'); END;

CREATE TRIGGER period_sheet_stays_1 BEFORE DELETE ON period_sheet BEGIN SELECT RAISE(ABORT, 'a closed period keeps its figures'); END;

CREATE TABLE "refund" (
    "key" VARCHAR(120) NOT NULL,
    payment_id VARCHAR(120) NOT NULL,
    action_id VARCHAR(120),
    amount BIGINT NOT NULL,
    currency VARCHAR(8) NOT NULL,
    status VARCHAR(20) NOT NULL,
    reason VARCHAR,
    note TEXT,
    requested_by VARCHAR,
    requested_at VARCHAR(27) NOT NULL,
    answered_at VARCHAR(27),
    decided_at VARCHAR(27),
    response_code VARCHAR,
    response_summary TEXT,
    reason_label VARCHAR,
    retry_of VARCHAR(120),
    lines TEXT,
    approval_limit BIGINT,
    approve_by VARCHAR(27),
    approved_by VARCHAR,
    approved_at VARCHAR(27),
    ended_as VARCHAR(10),
    ended_by VARCHAR,
    ended_why TEXT,
    held_until VARCHAR(27),
    send_at VARCHAR(27),
    PRIMARY KEY ("key"),
    CONSTRAINT refund_amount_not_negative CHECK (amount >= 0),
    CONSTRAINT refund_approved_by_another CHECK (approved_by IS NULL OR approved_by <> requested_by)
);

CREATE INDEX ix_refund_payment_id ON refund (payment_id);

CREATE UNIQUE INDEX refund_by_action ON refund (action_id);

CREATE INDEX refund_by_status ON refund (status, requested_at, "key");

CREATE INDEX refund_moved ON refund (currency, decided_at, action_id) WHERE status = 'refunded';

CREATE INDEX refund_newest ON refund (requested_at, "key");

CREATE INDEX refund_to_send ON refund (send_at) WHERE send_at IS NOT NULL;

CREATE TABLE report_file (
    id INTEGER NOT NULL,
    sha256 VARCHAR(64) NOT NULL,
    scope VARCHAR(6) NOT NULL,
    name VARCHAR(255) NOT NULL,
    kind VARCHAR(20) NOT NULL,
    report_id VARCHAR(120),
    imported_at VARCHAR(27) NOT NULL,
    imported_by VARCHAR(255) NOT NULL,
    lines INTEGER NOT NULL,
    known INTEGER NOT NULL,
    covers_from VARCHAR(27),
    covers_until VARCHAR(27),
    PRIMARY KEY (id),
    UNIQUE (report_id)
);

CREATE UNIQUE INDEX report_file_once ON report_file (sha256, scope);

CREATE TABLE sample (
    id INTEGER NOT NULL,
    seed BIGINT NOT NULL,
    payments INTEGER NOT NULL,
    months INTEGER NOT NULL,
    until VARCHAR(27) NOT NULL,
    asked_by VARCHAR(255) NOT NULL,
    asked_at VARCHAR(27) NOT NULL,
    after_event BIGINT NOT NULL,
    after_payment BIGINT NOT NULL,
    state VARCHAR(10) NOT NULL,
    filled INTEGER NOT NULL,
    holder VARCHAR(20),
    beat_at VARCHAR(27) NOT NULL,
    PRIMARY KEY (id)
);

CREATE TABLE saved_view (
    id VARCHAR(40) NOT NULL,
    owner VARCHAR(255) NOT NULL,
    name VARCHAR(60) NOT NULL,
    address TEXT NOT NULL,
    saved_at VARCHAR(27) NOT NULL,
    PRIMARY KEY (id)
);

CREATE UNIQUE INDEX saved_view_of_owner ON saved_view (owner, name);

CREATE VIRTUAL TABLE search USING fts5(words, tokenize = 'trigram');

CREATE TABLE search_word (
    word VARCHAR NOT NULL,
    seq BIGINT NOT NULL,
    PRIMARY KEY (word, seq)
)
 WITHOUT ROWID;

CREATE INDEX search_word_of_payment ON search_word (seq);

CREATE TABLE statement_line (
    id INTEGER NOT NULL,
    standing VARCHAR(20) NOT NULL,
    month VARCHAR(7) NOT NULL,
    currency VARCHAR(8) NOT NULL,
    kind VARCHAR(8) NOT NULL,
    at VARCHAR(27) NOT NULL,
    file_id BIGINT,
    number INTEGER,
    identity VARCHAR(40),
    breakdown VARCHAR(80),
    action_id VARCHAR(100),
    payment_id VARCHAR(120),
    reference TEXT,
    amount BIGINT,
    holding VARCHAR(8),
    held BIGINT,
    payout_id VARCHAR(40),
    ledger_key VARCHAR(120),
    ours BIGINT,
    our_currency VARCHAR(8),
    extra TEXT,
    found_at VARCHAR(27) NOT NULL,
    owner VARCHAR(255),
    resolution VARCHAR(20),
    note TEXT,
    PRIMARY KEY (id),
    UNIQUE (identity)
);

CREATE INDEX statement_line_by_standing ON statement_line (month, standing, currency, id);

CREATE INDEX statement_line_of_payment ON statement_line (payment_id, id);

CREATE INDEX statement_line_of_payout ON statement_line (payout_id, holding, held);

CREATE UNIQUE INDEX statement_line_of_row ON statement_line (ledger_key) WHERE standing <> 'duplicate';

CREATE TABLE statement_step (
    id INTEGER NOT NULL,
    line_id BIGINT NOT NULL,
    at VARCHAR(27) NOT NULL,
    "by" VARCHAR(255) NOT NULL,
    standing VARCHAR(20) NOT NULL,
    owner VARCHAR(255),
    resolution VARCHAR(20),
    note TEXT,
    PRIMARY KEY (id)
);

CREATE INDEX statement_step_of_line ON statement_step (line_id, id);

CREATE TRIGGER statement_step_stays_0 BEFORE DELETE ON statement_step BEGIN SELECT RAISE(ABORT, 'a closed period keeps its figures'); END;

CREATE TABLE statement_sum (
    month VARCHAR(7) NOT NULL,
    standing VARCHAR(20) NOT NULL,
    currency VARCHAR(8) NOT NULL,
    count BIGINT NOT NULL,
    theirs TEXT NOT NULL,
    ours TEXT NOT NULL,
    PRIMARY KEY (month, standing, currency)
);

CREATE TABLE volume (
    bucket VARCHAR(27) NOT NULL,
    currency VARCHAR(8) NOT NULL,
    requested_count BIGINT NOT NULL,
    requested BIGINT NOT NULL,
    captured_count BIGINT NOT NULL,
    captured BIGINT NOT NULL,
    refunded_count BIGINT NOT NULL,
    refunded BIGINT NOT NULL,
    declined_count BIGINT NOT NULL,
    expired_count BIGINT NOT NULL,
    canceled_count BIGINT NOT NULL,
    refund_declined_count BIGINT NOT NULL,
    PRIMARY KEY (bucket, currency)
);

CREATE TABLE volume_day (
    day VARCHAR(10) NOT NULL,
    currency VARCHAR(8) NOT NULL,
    requested_count BIGINT NOT NULL,
    requested BIGINT NOT NULL,
    captured_count BIGINT NOT NULL,
    captured BIGINT NOT NULL,
    refunded_count BIGINT NOT NULL,
    refunded BIGINT NOT NULL,
    declined_count BIGINT NOT NULL,
    expired_count BIGINT NOT NULL,
    canceled_count BIGINT NOT NULL,
    refund_declined_count BIGINT NOT NULL,
    PRIMARY KEY (day, currency)
);

CREATE TABLE watch (
    payment_id VARCHAR(120) NOT NULL,
    tries INTEGER NOT NULL,
    asked_at VARCHAR(27) NOT NULL,
    next_at VARCHAR(27) NOT NULL,
    problem TEXT,
    PRIMARY KEY (payment_id)
);

CREATE INDEX watch_next ON watch (next_at);

INSERT INTO "alembic_version" VALUES('0019');

INSERT INTO "backfill" VALUES(1,NULL,NULL,NULL,0,0,NULL,NULL,NULL,NULL,NULL,0,0,NULL,NULL,NULL);
