// A payment's life through Checkout.com's Node SDK. Arguments: the simulator's address, the secret key, the channel.
import { Checkout } from 'checkout-sdk-node';

const [host, key, channel] = process.argv.slice(2);
const api = new Checkout(key, { host });
const told = {};

const created = await api.payments.request(
  {
    source: { type: 'kakaopay' },
    amount: 45000,
    currency: 'KRW',
    payment_type: 'Regular',
    capture: true,
    reference: 'NODE-1',
    processing: { terminal_type: 'WEB' },
    success_url: 'https://shop.example/thanks',
    failure_url: 'https://shop.example/sorry',
    customer: { email: 'minji@example.com' },
    processing_channel_id: channel,
  },
  'node-create',
);
told.created = { status: created.status, requiresRedirect: created.requiresRedirect };

const paid = await fetch(created.redirectLink.split('?')[0], {
  method: 'POST',
  body: new URLSearchParams({ decision: 'pay' }),
  redirect: 'manual',
});
told.paid = { status: paid.status, location: paid.headers.get('location') };

const refund = await api.payments.refund(created.id, { amount: 5000, reference: 'RF-1' }, 'node-refund');
const again = await api.payments.refund(created.id, { amount: 5000, reference: 'RF-1' }, 'node-refund');
told.sameRefund = refund.action_id === again.action_id;

let payment;
do payment = await api.payments.get(created.id);
while (payment.status === 'Captured');
told.refunded = { status: payment.status, balances: payment.balances };

const actions = await api.payments.getActions(created.id);
told.actions = actions.map(({ type, amount }) => [type, amount]);
const list = await api.payments.getPaymentList({ reference: 'NODE-1', limit: 10, skip: 0 });
told.list = [list.total_count, list.data[0].id === created.id];
const events = await api.workflows.getSubjectEvents(created.id);
told.events = events.data.map(({ type }) => type).reverse();
const money = await api.financial.query({ payment_id: created.id, limit: 10 });
told.money = money.data.map(({ action_type, breakdown }) => [action_type, breakdown[0].holding_currency]);

told.refusals = [];
for (const call of [
  () => api.payments.refund(created.id, { amount: 40001 }),
  () => api.payments.get('pay_unknown'),
  () => api.payments.capture(created.id),
  () => new Checkout('sk_sbox_' + 'a'.repeat(26) + '$', { host }).payments.get(created.id),
]) {
  try {
    await call();
    told.refusals.push('none');
  } catch (refused) {
    told.refusals.push([refused.name, refused.http_code, refused.body?.error_codes ?? null]);
  }
}
console.log(JSON.stringify(told));
