package tool

import "testing"

func TestANumberThatIsNoneIsAUsageErrorThatNamesTheThing(t *testing.T) {
	inLocale(t, "C")
	_, bytes := Bytes("size", "1KK")
	_, rate := Rate("rate", "fast")
	_, seconds := Seconds("interval", "1s")
	for want, err := range map[string]error{
		"invalid size: '1KK'": bytes, "invalid rate: 'fast'": rate, "invalid interval: '1s'": seconds,
	} {
		if err == nil || !isUsage(err) || err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
}
